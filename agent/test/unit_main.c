#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tar_path.h"
#include "unit.h"

static int passed;
static int failed;
static bool current_ok;
static char scratch[] = "/tmp/banger-agent-unit-XXXXXX";

void check_at(bool ok, const char *what, const char *file, int line) {
    if (ok) return;
    current_ok = false;
    printf("    %s:%d: not so: %s\n", file, line, what);
}

const char *scratch_folder(void) {
    return scratch;
}

void test(const char *name, void (*body)(void)) {
    current_ok = true;
    body();
    printf("%s %s\n", current_ok ? "ok  " : "FAIL", name);
    fflush(stdout);
    if (current_ok) passed++;
    else failed++;
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(scratch)) return 2;
    frame_tests();
    fields_tests();
    flow_tests();
    users_tests();
    tar_header_tests();
    tar_in_tests();
    text_tests();
    scrollback_tests();
    tar_path_remove(-1, scratch);
    printf("unit: %d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
