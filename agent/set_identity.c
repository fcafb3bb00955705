// Operation 11: who the guest is, changed while it runs.
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "job.h"
#include "machine.h"
#include "operations.h"

enum { TAG_HOSTNAME = 2 };

static void run(struct fields request) {
    struct field field;
    struct field_writer nothing = {NULL, 0, 0, false};
    if (fields_find(request, TAG_HOSTNAME, &field)) {
        const char *name = field_text(&field);
        if (!name || !identity_is_hostname(name)) job_fail("INVALID", 0, "Not a host name");
        if (!identity_set_hostname(name)) job_fail("IO", 0, "Cannot set the host name \"%s\"; the kernel log says more", name);
    }
    job_finish(&nothing);
}

static struct failure start(struct channel *channel, struct fields request) {
    if (!machine.is_guest) return not_a_machine;
    return job_start(channel, &(struct job){.run = run, .terminal = -1}, request);
}

const struct operation identity_operation = {.number = 11, .start = start};
