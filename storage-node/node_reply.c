/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_reply.h"

#include <stdlib.h>

#include "base/scope.h"

void reply_error(struct rpc_call *call, const struct nf_error *err, const struct reply_extra *extra)
{
	static const struct reply_extra none;
	Nearfold__V1__ErrorDetail d = NEARFOLD__V1__ERROR_DETAIL__INIT;
	char message[sizeof(err->where) + sizeof(err->text) + 4];
	AUTO_FREE uint8_t *details = NULL;
	size_t details_bytes = 0;

	if (!extra)
		extra = &none;
	nf_error_message(err, message, sizeof(message));
	d.where = (char *)err->where;
	d.text = (char *)err->text;
	d.limit = (char *)(extra->limit ? extra->limit : "");
	d.missing = (char *)(extra->missing ? extra->missing : "");
	d.report = (char *)(extra->report ? extra->report : "");
	d.query_id = extra->query_id;
	d.fetch_instead = extra->fetch_instead;
	/* Without memory for the details the status itself still goes out. */
	if (wire_pack_details(err->code, message, &d, &details, &details_bytes))
		details_bytes = 0;
	rpc_call_finish(call, &(struct rpc_status){.code = err->code,
						   .message = message,
						   .details = details_bytes ? details : NULL,
						   .details_bytes = details_bytes});
}

int reply_stream(struct rpc_call *call, const ProtobufCMessage *message)
{
	uint8_t *packed;
	size_t size;
	int ret = wire_pack(message, 0, &packed, &size);

	return ret ? ret : rpc_call_send_owned(call, packed, 0, size);
}

void reply_ok(struct rpc_call *call)
{
	rpc_call_finish(call, &(struct rpc_status){.code = NF_OK});
}

void reply_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct nf_error err;

	if (reply_stream(call, message) < 0) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL,
			     "the node has no memory for the reply");
		reply_error(call, &err, NULL);
		return;
	}
	reply_ok(call);
}
