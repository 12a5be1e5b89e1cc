/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_health.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "storage-node/node_reply.h"

/* The numbers of HealthCheckResponse.ServingStatus. */
enum { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

struct health_watch {
	struct node *node;
	struct rpc_call *call;
	struct health_watch *prev, *next;
	bool known;
};

static bool is_ours(const char *service)
{
	return !*service || !strcmp(service, WIRE_SERVICE);
}

static int send_status(struct rpc_call *call, int status)
{
	uint8_t *packed;
	size_t size;
	int ret = wire_pack_health(status, &packed, &size);

	return ret ? ret : rpc_call_send_owned(call, packed, 0, size);
}

void health_check(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size)
{
	AUTO_FREE char *service = NULL;
	struct nf_error err;

	if (wire_unpack_health(message, size, &service, &err)) {
		reply_error(call, &err, NULL);
		return;
	}
	if (!is_ours(service)) {
		nf_error_set(&err, NF_NOT_FOUND, "service", "no service '%s' here; there is %s",
			     service, WIRE_SERVICE);
		reply_error(call, &err, NULL);
		return;
	}
	if (send_status(call, node->draining ? NOT_SERVING : SERVING) < 0) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(call, &err, NULL);
		return;
	}
	reply_ok(call);
}

static void forget(struct health_watch *w)
{
	*(w->prev ? &w->prev->next : &w->node->watches) = w->next;
	if (w->next)
		w->next->prev = w->prev;
	free(w);
}

static void on_gone(void *arg, enum nf_code why)
{
	(void)why;
	forget(arg);
}

void health_watch(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size)
{
	AUTO_FREE char *service = NULL;
	struct health_watch *w;
	struct nf_error err;

	if (wire_unpack_health(message, size, &service, &err)) {
		reply_error(call, &err, NULL);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w || node->draining) {
		free(w);
		nf_error_set(&err, NF_UNAVAILABLE, NULL, "the node is shutting down");
		reply_error(call, &err, NULL);
		return;
	}
	*w = (struct health_watch){
		.node = node, .call = call, .next = node->watches, .known = is_ours(service)};
	if (w->next)
		w->next->prev = w;
	node->watches = w;
	rpc_call_set(call, on_gone, NULL, w);
	send_status(call, w->known ? SERVING : SERVICE_UNKNOWN);
}

void health_drain(struct node *node)
{
	struct nf_error err;

	nf_error_set(&err, NF_UNAVAILABLE, NULL, "the node is shutting down");
	while (node->watches) {
		struct health_watch *w = node->watches;
		struct rpc_call *call = w->call;

		if (w->known)
			send_status(call, NOT_SERVING);
		forget(w);
		reply_error(call, &err, NULL);
	}
}
