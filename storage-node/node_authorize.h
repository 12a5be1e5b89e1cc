/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_authorize.h - who may see which data set, and where plain text may be spoken.
 *
 * A data set with an allow list is for the identities in it ("*": anybody who can connect), by
 * whatever way they came. One without is open on this machine (loopback, UNIX socket), and to
 * nobody from elsewhere. An identity is what the peer proved: the name in its TLS certificate, or
 * "uid:1000" on a UNIX socket. Pure functions.
 */
#ifndef NF_NODE_AUTHORIZE_H
#define NF_NODE_AUTHORIZE_H

#include <stdbool.h>

#include "rpc/rpc_server.h"
#include "scan/dataset.h"

/* Whom limits and the log name: the identity, or the address without its port. */
void authorize_who(const struct rpc_peer *peer, char ret_who[256]);
/* 0, or PERMISSION_DENIED that says what is missing. */
int authorize_dataset(const struct dataset_spec *spec, const struct rpc_peer *peer,
		      struct nf_error *err);
/* May this node listen there? FAILED_PRECONDITION: plain text that others could read. */
int authorize_listen(const char *address, bool insecure, struct nf_error *err);

#endif
