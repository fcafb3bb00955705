#include "operations.h"

static const struct operation *const all[] = {
    &exec_operation,  &tar_in_operation, &tar_out_operation, &tcp_operation,
    &ports_operation, &stats_operation,  &sync_operation,    &power_operation,
    &udp_operation,   &grow_operation,   &identity_operation, &list_operation,
    &attach_operation, &signal_operation, &remove_operation,  &start_operation,
    &service_define_operation, &service_status_operation, &service_stop_operation, &service_start_operation,
};

const struct failure not_a_machine = {"UNSUPPORTED", "This agent does not run in a machine of its own", 0};

const struct operation *operation_find(uint32_t number) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->number == number) return all[i];
    }
    return NULL;
}
