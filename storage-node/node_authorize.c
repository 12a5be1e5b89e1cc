/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_authorize.h"

#include <stdio.h>
#include <string.h>

#include "storage-node/node_config.h"

void authorize_who(const struct rpc_peer *peer, char ret_who[256])
{
	const char *name = *peer->identity ? peer->identity : peer->address;

	snprintf(ret_who, 256, "%s", name);
	if (!*peer->identity && peer->transport == RPC_PEER_TCP) {
		char *port = strrchr(ret_who, ':');

		if (port)
			*port = '\0';
	}
}

int authorize_dataset(const struct dataset_spec *spec, const struct rpc_peer *peer,
		      struct nf_error *err)
{
	bool here = peer->transport == RPC_PEER_UNIX || peer->loopback;
	char who[256];

	if (!spec->allow && here)
		return 0;
	for (char **name = spec->allow; name && *name; name++)
		if (!strcmp(*name, "*") || (*peer->identity && !strcmp(*name, peer->identity)))
			return 0;
	authorize_who(peer, who);
	if (!spec->allow)
		return nf_error_set(err, NF_PERMISSION_DENIED, spec->name,
				    "this data set has no allow list, so it is open on the node's "
				    "own machine only, not to '%s'; its operator can add allow=",
				    who);
	return nf_error_set(err, NF_PERMISSION_DENIED, spec->name,
			    "'%s' is not in this data set's allow list%s", who,
			    *peer->identity ? ""
					    : "; this connection proved no identity (a UNIX "
					      "socket or a client certificate does)");
}

int authorize_listen(const char *address, bool insecure, struct nf_error *err)
{
	if (insecure || node_address_is_local(address))
		return 0;
	return nf_error_set(err, NF_FAILED_PRECONDITION, address,
			    "others could read and change plain text on this address; listen on "
			    "loopback or a UNIX socket, or say insecure = yes (--insecure) if the "
			    "network is trusted");
}
