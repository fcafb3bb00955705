// Operations 17 to 20: the service is defined, looked at, stopped and started.
#include <stdlib.h>

#include "frame.h"
#include "job.h"
#include "launch.h"
#include "operations.h"
#include "service.h"

enum { TAG_STOP_SIGNAL = 10, TAG_RESTART = 11, TAG_GRACE = 12, TAG_REPLACE = 13, TAG_STOP_GRACE = 2 };
enum { STOP_SIGNAL = 15, SIGNAL_MAX = 64, GRACE_MS = 10000, GRACE_MAX_MS = 600000, STATUS_BYTES = 2048 };

static const struct failure not_defined = {"NOT_FOUND", "No service is defined", 0};

static const char *state_name(enum service_state state) {
    switch (state) {
    case SERVICE_STARTING: return "starting";
    case SERVICE_RUNNING: return "running";
    case SERVICE_BACKOFF: return "backoff";
    case SERVICE_STOPPING: return "stopping";
    case SERVICE_STOPPED: return "stopped";
    case SERVICE_FAILED: return "failed";
    default: return "exited";
    }
}

static void write_end(struct field_writer *result, int wait_status) {
    uint8_t bytes[32];
    struct field_writer end = {bytes, sizeof bytes, 0, false};
    job_write_end(&end, wait_status);
    write_field(result, 6, bytes, end.length);
}

static void finish(struct channel *channel) {
    uint8_t payload[STATUS_BYTES];
    struct field_writer result = {payload, sizeof payload, 0, false};
    struct service_status status;
    service_read_status(&status);
    if (status.state != SERVICE_NONE) {
        write_text(&result, 1, state_name(status.state));
        if (status.pid) write_u32(&result, 2, (uint32_t)status.pid);
        write_u32(&result, 3, status.starts);
        if (status.starts) write_u64(&result, 4, status.started_ms);
        if (status.has_ended) write_u64(&result, 5, status.ended_ms);
        if (status.has_ended) write_end(&result, status.wait_status);
        if (status.failure_length) write_field(&result, 7, status.failure, status.failure_length);
        if (status.state == SERVICE_BACKOFF) write_u32(&result, 8, status.restart_in_ms);
    }
    channel_finish(channel, FRAME_RESULT, payload, result.length);
}

static bool is_defined(void) {
    struct service_status status;
    service_read_status(&status);
    return status.state != SERVICE_NONE;
}

// Everything but the wish to replace: that makes no other service of it.
static bool copy_fields(struct service_definition *definition, struct fields request) {
    size_t capacity = request.left;
    definition->fields = malloc(capacity);
    if (!definition->fields) return false;
    struct field_writer writer = {definition->fields, capacity, 0, false};
    for (struct field field; fields_next(&request, &field);) {
        if (field.tag != TAG_REPLACE) write_field(&writer, field.tag, field.bytes, field.length);
    }
    definition->length = writer.length;
    return true;
}

static struct failure read_definition(struct fields request, struct service_definition *definition) {
    struct field word;
    uint64_t stop_signal = fields_number(request, TAG_STOP_SIGNAL, STOP_SIGNAL);
    uint64_t restart = fields_number(request, TAG_RESTART, RESTART_NO);
    uint64_t grace = fields_number(request, TAG_GRACE, GRACE_MS);
    if (!fields_find(request, LAUNCH_ARGV, &word)) return (struct failure){"INVALID", "The service has no command", 0};
    if (stop_signal < 1 || stop_signal > SIGNAL_MAX) return (struct failure){"INVALID", "There is no such signal", 0};
    if (restart > RESTART_ALWAYS) return (struct failure){"INVALID", "There is no such restart policy", 0};
    definition->stop_signal = (int)stop_signal;
    definition->restart = (enum service_restart)restart;
    definition->grace_ms = grace < GRACE_MAX_MS ? (uint32_t)grace : GRACE_MAX_MS;
    if (!copy_fields(definition, request)) return (struct failure){"IO", "Out of memory", 0};
    return NO_FAILURE;
}

static struct failure start_define(struct channel *channel, struct fields request) {
    struct service_definition definition;
    struct failure failure = read_definition(request, &definition);
    if (failure.code) return failure;
    bool same = is_defined() && service_is(&definition);
    bool refused = is_defined() && !same && !fields_number(request, TAG_REPLACE, 0);
    if (same || refused) free(definition.fields);
    else service_define(&definition);
    if (refused) return (struct failure){"EXISTS", "Another service is defined", 0};
    finish(channel);
    return NO_FAILURE;
}

static struct failure start_status(struct channel *channel, struct fields request) {
    (void)request;
    finish(channel);
    return NO_FAILURE;
}

static struct failure start_stop(struct channel *channel, struct fields request) {
    (void)channel;
    struct field grace;
    if (!is_defined()) return not_defined;
    int grace_ms = SERVICE_GRACE_AS_DEFINED;
    if (fields_find(request, TAG_STOP_GRACE, &grace)) {
        uint64_t asked = fields_number(request, TAG_STOP_GRACE, GRACE_MS);
        grace_ms = asked < GRACE_MAX_MS ? (int)asked : GRACE_MAX_MS;
    }
    service_stop(grace_ms);
    return NO_FAILURE;
}

static void tick_stop(struct channel *channel) {
    struct service_status status;
    service_read_status(&status);
    if (!channel->final_type && status.state != SERVICE_STOPPING) finish(channel);
}

static struct failure start_start(struct channel *channel, struct fields request) {
    (void)request;
    if (!is_defined()) return not_defined;
    service_start();
    finish(channel);
    return NO_FAILURE;
}

const struct operation service_define_operation = {.number = 17, .start = start_define};
const struct operation service_status_operation = {.number = 18, .start = start_status};
const struct operation service_stop_operation = {.number = 19, .start = start_stop, .tick = tick_stop};
const struct operation service_start_operation = {.number = 20, .start = start_start};
