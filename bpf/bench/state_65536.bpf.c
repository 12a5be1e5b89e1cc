/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A histogram of 65536 bytes. */
#define STATE_BYTES 65536
#include "state.h"
