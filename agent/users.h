// Users and groups from the guest's own files. The text is whatever a guest process wrote there.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { USERS_GROUPS_MAX = 1024, USERS_TEXT_MAX = 256 };

struct user {
    uid_t uid;
    gid_t gid;
    char name[USERS_TEXT_MAX];
    char home[USERS_TEXT_MAX];
    char shell[USERS_TEXT_MAX];
    gid_t groups[USERS_GROUPS_MAX];
    size_t group_count;
};

struct text {
    const char *bytes;
    size_t length;
};

// A number as a uid: digits only, not the "no change" value.
bool users_parse_id(const char *text, uint32_t *id);
// By name, else by number. False when the name is unknown; an unknown number is a user without an entry.
bool users_find(struct text passwd, const char *name, struct user *user);
bool users_find_group(struct text group, const char *name, gid_t *gid);
// The primary group, then every group that lists the user.
void users_add_groups(struct text group, struct user *user);
// `name`, `uid`, `name:group`, `uid:gid`. False: *missing says what is not there.
bool users_resolve(struct text passwd, struct text group, const char *spec, struct user *user, const char **missing);
// The file's text from malloc; empty when it is absent, not a regular file, or unreasonably long.
struct text users_read(const char *path);
