#include "users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "unit.h"

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/bash\n"
                                  "\n"
                                  "broken\n"
                                  "short:x:5\n"
                                  "badid:x:12x:5::/home/badid:/bin/sh\n"
                                  "negative:x:-1:5::/home:/bin/sh\n"
                                  "huge:x:4294967295:5::/home:/bin/sh\n"
                                  "alice:x:1000:1000:A,B:/home/alice:/bin/zsh\n"
                                  "1000:x:7:7::/seven:/bin/sh\n"
                                  "relative:x:8:8::home/relative:sh\n"
                                  "last:x:9:9::/last:/bin/last";
static const char group_text[] = "root:x:0:\nwheel:x:10:root,alice\nalice:x:1000:alice\nbad:x:z:alice\n"
                                 "not:x:11:alicex,xalice\ndocker:x:999:bob,alice";

static struct text as_text(const char *bytes) {
    return (struct text){bytes, strlen(bytes)};
}

static bool resolve(const char *spec, struct user *user, const char **missing) {
    return users_resolve(as_text(passwd_text), as_text(group_text), spec, user, missing);
}

static void by_name_and_number(void) {
    static struct user user;
    const char *missing;
    CHECK(resolve("alice", &user, &missing) && user.uid == 1000 && user.gid == 1000);
    CHECK(strcmp(user.home, "/home/alice") == 0 && strcmp(user.shell, "/bin/zsh") == 0);
    CHECK(user.group_count == 3 && user.groups[0] == 1000 && user.groups[1] == 10 && user.groups[2] == 999);
    CHECK(resolve("0", &user, &missing) && strcmp(user.name, "root") == 0);
    CHECK(resolve("1000", &user, &missing) && user.uid == 7); // a name of digits wins over a number
    CHECK(resolve("alice:wheel", &user, &missing) && user.gid == 10 && user.groups[0] == 10);
    CHECK(resolve("alice:55", &user, &missing) && user.gid == 55);
    CHECK(resolve("4242:17", &user, &missing) && user.uid == 4242 && user.gid == 17);
    CHECK(strcmp(user.home, "/") == 0 && strcmp(user.name, "4242") == 0);
    CHECK(resolve("last", &user, &missing) && user.uid == 9); // no newline at the end of the file
    CHECK(resolve("relative", &user, &missing) && strcmp(user.home, "/") == 0 && strcmp(user.shell, "/bin/sh") == 0);
}

static void refused(void) {
    static struct user user;
    const char *missing;
    static const char *const no_user[] = {"", "nobody", "broken", "short", "badid", "negative", "huge", "-1", "4294967295",
                                          ":wheel", "99999999999999999999"};
    for (size_t i = 0; i < sizeof no_user / sizeof *no_user; i++) {
        CHECK(!resolve(no_user[i], &user, &missing) && strcmp(missing, "user") == 0);
    }
    CHECK(!resolve("alice:nosuch", &user, &missing) && strcmp(missing, "group") == 0);
    CHECK(!resolve("alice:", &user, &missing) && !resolve("alice:bad", &user, &missing));
}

static void hostile_files(void) {
    static struct user user;
    const char *missing;
    struct text nothing = {"", 0};
    CHECK(users_resolve(nothing, nothing, "root", &user, &missing) && user.uid == 0);
    CHECK(strcmp(user.home, "/root") == 0);
    CHECK(!users_resolve(nothing, nothing, "alice", &user, &missing));
    struct text with_nul = {"a\0b:x:5:5::/h:/s\neve:x:6:6::/e\0x:/s\n", 37};
    CHECK(!users_find(with_nul, "eve", &user));
    static char line[100000];
    memset(line, 'a', sizeof line);
    memcpy(line + sizeof line - 40, "\nbob:x:3:3::/b:/s\n", 18);
    struct text long_line = {line, sizeof line};
    CHECK(users_find(long_line, "bob", &user) && user.uid == 3);
    // More groups than anybody can be in.
    char *groups = malloc(200000);
    size_t used = 0;
    for (int i = 0; i < 5000; i++) used += (size_t)sprintf(groups + used, "g%d:x:%d:bob\n", i, i + 100);
    users_add_groups((struct text){groups, used}, &user);
    CHECK(user.group_count == USERS_GROUPS_MAX);
    free(groups);
}

static void odd_paths(void) {
    char path[256];
    snprintf(path, sizeof path, "%s/fifo", scratch_folder());
    CHECK(mkfifo(path, 0600) == 0 && users_read(path).length == 0); // and it did not wait for a writer
    CHECK(users_read("/").length == 0 && users_read("/dev/zero").length == 0 && users_read("/nonexistent").length == 0);
}

void users_tests(void) {
    test("users: by name, number and group", by_name_and_number);
    test("users: what is not there is refused", refused);
    test("users: odd passwd and group files do no harm", hostile_files);
    test("users: a passwd that is no file is empty", odd_paths);
}
