#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULTS = 6 };

static const char default_path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static size_t count(struct fields request, uint8_t tag) {
    size_t found = 0;
    for (struct field field; fields_next(&request, &field);) found += field.tag == tag;
    return found;
}

static void set(char **environment, size_t *used, char *variable) {
    if (!variable) return;
    const char *equals = strchr(variable, '=');
    if (!equals || equals == variable) return;
    size_t name = (size_t)(equals - variable) + 1;
    for (size_t i = 0; i < *used; i++) {
        if (strncmp(environment[i], variable, name) == 0) {
            environment[i] = variable;
            return;
        }
    }
    environment[(*used)++] = variable;
}

static char *variable(const char *name, const char *value) {
    size_t size = strlen(name) + strlen(value) + 2;
    char *text = malloc(size);
    if (text) snprintf(text, size, "%s=%s", name, value);
    return text;
}

static void set_asked(char **environment, size_t *used, struct fields request, uint8_t tag) {
    for (struct field field; fields_next(&request, &field);) {
        if (field.tag == tag) set(environment, used, field_text(&field));
    }
}

char **environment_make(const struct user *user, bool terminal, struct fields request, uint8_t tag) {
    char **environment = calloc(count(request, tag) + DEFAULTS + 1, sizeof *environment);
    if (!environment) return NULL;
    size_t used = 0;
    set(environment, &used, strdup(default_path));
    set(environment, &used, variable("HOME", user->home));
    set(environment, &used, variable("USER", user->name));
    set(environment, &used, variable("LOGNAME", user->name));
    set(environment, &used, variable("SHELL", user->shell));
    if (terminal) set(environment, &used, variable("TERM", "xterm-256color"));
    set_asked(environment, &used, request, tag);
    return environment;
}

char **environment_complete(const struct user *user, struct fields request, uint8_t tag) {
    char **environment = calloc(count(request, tag) + DEFAULTS + 1, sizeof *environment);
    if (!environment) return NULL;
    size_t used = 0;
    set(environment, &used, strdup(default_path));
    set(environment, &used, variable("HOME", user->home));
    set_asked(environment, &used, request, tag);
    return environment;
}

const char *environment_get(char *const *environment, const char *name) {
    size_t length = strlen(name);
    for (; *environment; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
    }
    return NULL;
}
