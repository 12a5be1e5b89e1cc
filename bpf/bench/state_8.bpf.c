/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A histogram of 8 bytes. */
#define STATE_BYTES 8
#include "state.h"
