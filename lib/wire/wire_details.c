/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wire_details.c - the details of an error: google.rpc.Status { code, message, details: [Any {
 * "type.googleapis.com/nearfold.v1.ErrorDetail", ErrorDetail }] }, as gRPC defines them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "status.pb-c.h"
#include "wire/wire.h"
#include "wire/wire_walk.h"

static const char type_url[] = "type.googleapis.com/nearfold.v1.ErrorDetail";

static int pack(enum nf_code code, const char *message, const Nearfold__V1__ErrorDetail *d,
		uint8_t **ret, size_t *ret_size)
{
	Nearfold__Rpc__RpcStatus status = NEARFOLD__RPC__RPC_STATUS__INIT;
	Nearfold__Rpc__Any any = NEARFOLD__RPC__ANY__INIT, *details[] = {&any};
	AUTO_FREE uint8_t *value = NULL;
	size_t size;

	if (wire_pack(&d->base, 0, &value, &size))
		return -ENOMEM;
	any.type_url = (char *)type_url;
	any.value = (ProtobufCBinaryData){size, value};
	status.code = (int32_t)code;
	status.message = (char *)(message ? message : "");
	status.n_details = 1;
	status.details = details;
	return wire_pack(&status.base, 0, ret, ret_size);
}

/* Take at least that many bytes from the end of a text; what stays is whole characters and "...".
 */
static size_t shorten(char *text, size_t bytes)
{
	static const char dots[] = "...";
	size_t len = strlen(text), keep;

	if (len <= bytes + sizeof(dots)) {
		*text = '\0';
		return len;
	}
	keep = len - bytes - sizeof(dots);
	while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
		keep--;
	memcpy(text + keep, dots, sizeof(dots));
	return len - strlen(text);
}

int wire_pack_details(enum nf_code code, const char *message, const Nearfold__V1__ErrorDetail *d,
		      uint8_t **ret, size_t *ret_size)
{
	Nearfold__V1__ErrorDetail copy = *d;
	AUTO_FREE char *report = strdup(d->report);
	AUTO_FREE char *text = strdup(d->text);
	AUTO_FREE uint8_t *data = NULL;
	char *longest_first[] = {report, text};
	size_t size;

	if (!report || !text)
		return -ENOMEM;
	copy.report = report;
	copy.text = text;
	int r = pack(code, message, &copy, &data, &size);
	for (size_t i = 0; !r && size > WIRE_MAX_DETAILS_BYTES && i < 2; i++) {
		shorten(longest_first[i], size - WIRE_MAX_DETAILS_BYTES);
		free(TAKE_PTR(data));
		r = pack(code, message, &copy, &data, &size);
	}
	if (r)
		return r;
	*ret = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}

Nearfold__V1__ErrorDetail *wire_unpack_details(const uint8_t *data, size_t size)
{
	Nearfold__Rpc__RpcStatus *status = (Nearfold__Rpc__RpcStatus *)wire_unpack(
		&nearfold__rpc__rpc_status__descriptor, data, size, NULL);
	Nearfold__V1__ErrorDetail *ret = NULL;

	if (!status)
		return NULL;
	for (size_t i = 0; i < status->n_details && !ret; i++) {
		const Nearfold__Rpc__Any *any = status->details[i];

		if (strcmp(any->type_url, type_url) == 0)
			ret = (Nearfold__V1__ErrorDetail *)wire_unpack(
				&nearfold__v1__error_detail__descriptor, any->value.data,
				any->value.len, NULL);
	}
	nearfold__rpc__rpc_status__free_unpacked(status, NULL);
	return ret;
}
