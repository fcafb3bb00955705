// The operations a host can open a channel for; one file each.
#pragma once

#include "channel.h"

extern const struct operation exec_operation;
extern const struct operation tar_in_operation;
extern const struct operation tar_out_operation;
extern const struct operation tcp_operation;
extern const struct operation ports_operation;
extern const struct operation stats_operation;
extern const struct operation sync_operation;
extern const struct operation power_operation;

// NULL when there is none with this number.
const struct operation *operation_find(uint32_t number);
