/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A histogram of 4096 bytes. */
#define STATE_BYTES 4096
#include "state.h"
