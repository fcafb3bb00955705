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
extern const struct operation udp_operation;
extern const struct operation grow_operation;
extern const struct operation identity_operation;
extern const struct operation list_operation;
extern const struct operation attach_operation;
extern const struct operation signal_operation;
extern const struct operation remove_operation;
extern const struct operation start_operation;
extern const struct operation service_define_operation;
extern const struct operation service_status_operation;
extern const struct operation service_stop_operation;
extern const struct operation service_start_operation;

// What an operation on the machine itself says in test mode.
extern const struct failure not_a_machine;

// NULL when there is none with this number.
const struct operation *operation_find(uint32_t number);
