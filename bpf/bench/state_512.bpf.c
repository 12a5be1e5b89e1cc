/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A histogram of 512 bytes. */
#define STATE_BYTES 512
#include "state.h"
