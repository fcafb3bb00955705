// Pseudo terminals.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Both ends, close-on-exec; the master does not block. False with errno.
bool tty_open(int *master, int *slave, uint16_t rows, uint16_t columns);
void tty_resize(int master, uint16_t rows, uint16_t columns);
// The character that ends input, as the terminal is set now. False with errno.
bool tty_send_eof(int master);
// The foreground process group, or -1.
pid_t tty_foreground(int master);
