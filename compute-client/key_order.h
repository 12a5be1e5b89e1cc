/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* key_order.h - the order of rows: keys compared member by member, as the values they are. */
#ifndef NF_CLIENT_KEY_ORDER_H
#define NF_CLIENT_KEY_ORDER_H

#include "program/program_layout.h"

/* <0, 0, >0. Integers and floats by value (NaN last), text and other bytes as bytes; keys whose
 * members are equal by their bytes, so that the order is one only. */
int key_order(const struct layout *l, uint32_t key_bytes, const uint8_t *a, const uint8_t *b);

#endif
