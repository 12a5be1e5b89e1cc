/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A histogram of 64 bytes. */
#define STATE_BYTES 64
#include "state.h"
