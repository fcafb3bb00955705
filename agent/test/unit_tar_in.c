// Placing hostile archive entries. Each entry is placed by a child, as in life, since a refusal ends the process.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fields.h"
#include "job.h"
#include "tar_path.h"
#include "tar_place.h"
#include "unit.h"

static char base[256];
static char code[64];

static const char *in_base(const char *name) {
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", base, name);
    return path;
}

static void set_up(void) {
    snprintf(base, sizeof base, "%s/tar", scratch_folder());
    tar_path_remove(AT_FDCWD, base);
    mkdir(base, 0755);
    mkdir(in_base("root"), 0755);
    mkdir(in_base("outside"), 0755);
    close(open(in_base("outside/victim"), O_CREAT | O_WRONLY, 0600));
}

static void child(const struct tar_entry *entries, size_t count, bool replace) {
    struct placer placer = {.root = tar_path_open_root(in_base("root"), false), .replace = replace};
    for (size_t i = 0; i < count; i++) {
        if (entries[i].type == '0') place_file_done(&placer, &entries[i], place_file(&placer, &entries[i]));
        else place_other(&placer, &entries[i]);
    }
    place_finish(&placer);
    _exit(0);
}

// Places the entries; "" or the error's code.
static const char *place(const struct tar_entry *entries, size_t count, bool replace) {
    int ends[2];
    uint8_t record[1024];
    if (pipe(ends) < 0) return "no pipe";
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], JOB_STATUS_FD);
        child(entries, count, replace);
    }
    close(ends[1]);
    ssize_t got = 0;
    for (ssize_t more; (more = read(ends[0], record + got, sizeof record - (size_t)got)) > 0;) got += more;
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status)) return "crashed";
    struct field field;
    code[0] = 0;
    if (got > 5 && fields_find((struct fields){record + 5, (size_t)got - 5}, 1, &field)) {
        snprintf(code, sizeof code, "%.*s", (int)field.length, (const char *)field.bytes);
    }
    return code;
}

static bool is(const char *got, const char *wanted) {
    if (strcmp(got, wanted) != 0) printf("    got \"%s\", wanted \"%s\"\n", got, wanted);
    return strcmp(got, wanted) == 0;
}

static bool exists(const char *name) {
    struct stat info;
    return lstat(in_base(name), &info) == 0;
}

static void names_that_lead_out(void) {
    static const char *const names[] = {"../escape", "/etc/escape", "a/../../escape", "a/..", "..", "", ".", "./"};
    set_up();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tar_entry entry = {.type = '0', .mode = 0644};
        strcpy(entry.path, names[i]);
        CHECK(is(place(&entry, 1, true), "INVALID"));
    }
    CHECK(!exists("escape") && !exists("root/escape"));
    struct tar_entry fine = {.path = "./a//./b/", .type = '5', .mode = 0700};
    CHECK(is(place(&fine, 1, false), "") && exists("root/a/b"));
}

static void through_a_planted_link(void) {
    set_up();
    CHECK(symlink("../outside", in_base("root/planted")) == 0);
    struct tar_entry entries[2] = {{.path = "planted/new", .type = '0', .mode = 0644}};
    CHECK(is(place(entries, 1, false), "INVALID") && is(place(entries, 1, true), "INVALID"));
    CHECK(!exists("outside/new"));
    struct tar_entry own[2] = {{.path = "link", .target = "../outside", .type = '2'},
                               {.path = "link/victim", .type = '0', .mode = 0644}};
    CHECK(is(place(own, 2, true), "INVALID"));
    struct tar_entry folder[2] = {{.path = "link2", .target = "../outside", .type = '2'},
                                  {.path = "link2/sub", .type = '5', .mode = 0777}};
    CHECK(is(place(folder, 2, true), "INVALID") && !exists("outside/sub"));
}

static void onto_a_link(void) {
    struct stat info;
    set_up();
    CHECK(symlink("../outside/victim", in_base("root/file")) == 0);
    struct tar_entry entry = {.path = "file", .type = '0', .mode = 0777};
    CHECK(is(place(&entry, 1, false), "EXISTS"));
    CHECK(is(place(&entry, 1, true), ""));
    CHECK(lstat(in_base("root/file"), &info) == 0 && S_ISREG(info.st_mode));
    CHECK(stat(in_base("outside/victim"), &info) == 0 && (info.st_mode & 0777) == 0600);
    // A folder entry does not go through a link either.
    CHECK(symlink("../outside", in_base("root/folder")) == 0);
    struct tar_entry folder = {.path = "folder", .type = '5', .mode = 0700};
    CHECK(is(place(&folder, 1, false), "EXISTS"));
    CHECK(is(place(&folder, 1, true), "") && lstat(in_base("root/folder"), &info) == 0 && S_ISDIR(info.st_mode));
}

static void hard_links(void) {
    struct stat info;
    set_up();
    CHECK(symlink("../outside", in_base("root/planted")) == 0);
    static const char *const targets[] = {"../outside/victim", "/etc/passwd", "planted/victim"};
    for (size_t i = 0; i < 3; i++) {
        struct tar_entry entry = {.path = "stolen", .type = '1'};
        strcpy(entry.target, targets[i]);
        CHECK(is(place(&entry, 1, true), "INVALID") && !exists("root/stolen"));
    }
    struct tar_entry entries[2] = {{.path = "a/one", .type = '0', .mode = 0600}, {.path = "two", .target = "a/one", .type = '1'}};
    CHECK(is(place(entries, 2, false), "") && stat(in_base("root/two"), &info) == 0 && info.st_nlink == 2);
    CHECK(is(place(entries + 1, 1, false), "") && stat(in_base("root/two"), &info) == 0 && info.st_nlink == 2);
}

static void other_kinds(void) {
    struct stat info;
    set_up();
    struct tar_entry tree[3] = {{.path = "x/y", .type = '5', .mode = 0755}, {.path = "x/y/z", .type = '0', .mode = 0600},
                                {.path = "x", .type = '0', .mode = 0640}};
    CHECK(is(place(tree, 2, false), ""));
    CHECK(is(place(tree + 2, 1, false), "EXISTS") && exists("root/x/y/z"));
    CHECK(is(place(tree + 2, 1, true), "") && stat(in_base("root/x"), &info) == 0 && info.st_mode == (S_IFREG | 0640));
    struct tar_entry unknown = {.path = "odd", .type = 'S'};
    CHECK(is(place(&unknown, 1, false), "UNSUPPORTED"));
    struct tar_entry sealed[2] = {{.path = "sealed", .type = '5', .mode = 0555, .mtime = 1000},
                                  {.path = "sealed/file", .type = '0', .mode = 04711, .mtime = 2000}};
    CHECK(is(place(sealed, 2, false), ""));
    CHECK(stat(in_base("root/sealed"), &info) == 0 && (info.st_mode & 07777) == 0555 && info.st_mtime == 1000);
    CHECK(stat(in_base("root/sealed/file"), &info) == 0 && (info.st_mode & 07777) == 04711 && info.st_mtime == 2000);
    chmod(in_base("root/sealed"), 0755);
}

void tar_in_tests(void) {
    test("tar-in: names that lead out are refused", names_that_lead_out);
    test("tar-in: nothing goes through a planted link", through_a_planted_link);
    test("tar-in: a link in the way is replaced, not followed", onto_a_link);
    test("tar-in: hard links stay inside", hard_links);
    test("tar-in: other kinds, modes and times", other_kinds);
}
