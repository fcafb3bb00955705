// A minimal test frame: each test is a function, listed in unit_main.c.
#pragma once

#include <stdbool.h>

void check_at(bool ok, const char *what, const char *file, int line);
#define CHECK(condition) check_at((condition), #condition, __FILE__, __LINE__)

// A folder of its own below /tmp, removed by unit_main.
const char *scratch_folder(void);

void frame_tests(void);
void fields_tests(void);
void flow_tests(void);
void users_tests(void);
void tar_header_tests(void);
void tar_in_tests(void);
void text_tests(void);
void scrollback_tests(void);

void test(const char *name, void (*body)(void));
