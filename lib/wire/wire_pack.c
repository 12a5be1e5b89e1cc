/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>

#include "wire/wire.h"

int wire_pack(const ProtobufCMessage *m, size_t headroom, uint8_t **ret, size_t *ret_size)
{
	size_t size = protobuf_c_message_get_packed_size(m);
	uint8_t *buf = malloc(headroom + size + !(headroom + size));

	if (!buf)
		return -ENOMEM;
	protobuf_c_message_pack(m, buf + headroom);
	*ret = buf;
	*ret_size = size;
	return 0;
}
