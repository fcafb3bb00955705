#include "viewer.h"

#include "tty.h"

static void apply_size(const struct detached *command) {
    const struct viewer *viewer = command->viewers;
    while (viewer && !(viewer->interactive && viewer->rows && viewer->columns)) viewer = viewer->next;
    const struct channel *process = command->process;
    if (viewer && process->terminal && process->output.fd >= 0) {
        tty_resize(process->output.fd, viewer->rows, viewer->columns);
    }
}

void viewer_join(struct viewer *viewer, struct detached *command) {
    viewer->command = command;
    viewer->next = command->viewers;
    command->viewers = viewer;
    detached_hold(command);
}

void viewer_leave(struct viewer *viewer) {
    struct detached *command = viewer->command;
    for (struct viewer **slot = &command->viewers; *slot; slot = &(*slot)->next) {
        if (*slot != viewer) continue;
        *slot = viewer->next;
        break;
    }
    if (viewer->interactive) apply_size(command);
    detached_release(command);
}

void viewer_resize(struct viewer *viewer, uint16_t rows, uint16_t columns) {
    viewer->rows = rows;
    viewer->columns = columns;
    if (viewer->interactive) apply_size(viewer->command);
}
