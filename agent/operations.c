#include "operations.h"

static const struct operation *const all[] = {
    &exec_operation,  &tar_in_operation, &tar_out_operation, &tcp_operation,
    &ports_operation, &stats_operation,  &sync_operation,    &power_operation,
};

const struct operation *operation_find(uint32_t number) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->number == number) return all[i];
    }
    return NULL;
}
