// The small parsers of the boot: kernel command line, hosts, resolv.conf, lines of /proc.
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "identity.h"
#include "modules.h"
#include "procfs.h"
#include "unit.h"

static void command_line(void) {
    char value[16];
    const char *line = "quiet a.b=one banger.x=%2Fsbin%2finit a.b=two c= d=%zz e=%00 f=%4 g=12345678901234567\n";
    CHECK(cmdline_get(line, "a.b", value, sizeof value) && strcmp(value, "two") == 0);
    CHECK(cmdline_get(line, "banger.x", value, sizeof value) && strcmp(value, "/sbin/init") == 0);
    CHECK(!cmdline_get(line, "c", value, sizeof value) && !cmdline_get(line, "d", value, sizeof value));
    CHECK(!cmdline_get(line, "e", value, sizeof value) && !cmdline_get(line, "f", value, sizeof value));
    CHECK(!cmdline_get(line, "g", value, sizeof value) && !cmdline_get(line, "b", value, sizeof value));
}

static void hosts(void) {
    char *text = identity_hosts("127.0.0.1 localhost\n127.0.1.1\told\n127.0.1.10 other\n127.0.1.1 again", "new");
    CHECK(strcmp(text, "127.0.0.1 localhost\n127.0.1.10 other\n127.0.1.1\tnew\n") == 0);
    char *again = identity_hosts(text, "new");
    CHECK(strcmp(text, again) == 0);
    free(text);
    free(again);
    text = identity_hosts("", "box");
    CHECK(strstr(text, "127.0.0.1\tlocalhost\n") && strstr(text, "127.0.1.1\tbox\n"));
    free(text);
}

static void host_names(void) {
    char longest[65];
    memset(longest, 'a', sizeof longest);
    longest[63] = 0;
    CHECK(identity_is_hostname("box") && identity_is_hostname("a.b-1") && identity_is_hostname(longest));
    longest[63] = 'a';
    longest[64] = 0;
    CHECK(!identity_is_hostname(longest) && !identity_is_hostname("") && !identity_is_hostname("-a"));
    CHECK(!identity_is_hostname("a b") && !identity_is_hostname("a\n1.2.3.4 evil") && !identity_is_hostname("../a"));
}

static void resolv(void) {
    char *text = identity_resolv("10.0.0.1,,fe80::1%eth0,evil\nline,1");
    CHECK(strcmp(text, "nameserver 10.0.0.1\nnameserver 1\n") == 0);
    free(text);
    char many[201];
    for (size_t i = 0; i < sizeof many - 1; i++) many[i] = i % 2 ? ',' : '1';
    many[200] = 0;
    text = identity_resolv(many);
    CHECK(strlen(text) == 100 * strlen("nameserver 1\n"));
    free(text);
}

static void words(void) {
    char line[] = "  one\ttwo  7f x";
    char *rest = line;
    CHECK(strcmp(next_word(&rest), "one") == 0 && strcmp(next_word(&rest), "two") == 0);
    CHECK(next_number(&rest, 16) == 0x7f && strcmp(next_word(&rest), "x") == 0 && *next_word(&rest) == 0);
    CHECK(is_number("123") && !is_number("") && !is_number("12a"));
    static struct lines lines;
    int count = 0;
    CHECK(lines_open(&lines, "/proc/self/status"));
    while (lines_next(&lines)) count++;
    CHECK(count > 10 && !lines_open(&lines, "/nonexistent") && lines_next(&lines) == NULL);
}

static size_t size_with_signature(uint32_t told, size_t size) {
    uint8_t module[128] = "ELF";
    uint8_t *info = module + sizeof module - 28 - 12;
    memcpy(module + sizeof module - 28, "~Module signature appended~\n", 28);
    for (int i = 0; i < 4; i++) info[8 + i] = (uint8_t)(told >> (24 - 8 * i));
    return module_unsigned_size(module + sizeof module - size, size);
}

static void signatures(void) {
    CHECK(size_with_signature(20, 128) == 128 - 28 - 12 - 20 && size_with_signature(88, 128) == 0);
    // None, one that is longer than the module, and a module that is cut off.
    CHECK(module_unsigned_size((const uint8_t *)"ELF", 3) == 3 && module_unsigned_size(NULL, 0) == 0);
    CHECK(size_with_signature(89, 128) == 128 && size_with_signature(0xFFFFFFFF, 128) == 128);
    CHECK(size_with_signature(20, 39) == 39 && size_with_signature(0, 40) == 0);
}

void text_tests(void) {
    test("cmdline: last value, percent-decoded, or none", command_line);
    test("hosts: one line for the own name", hosts);
    test("host names: nothing but names", host_names);
    test("resolv.conf: only addresses", resolv);
    test("modules: the part before a signature", signatures);
    test("procfs: lines, words and numbers", words);
}
