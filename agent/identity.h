// Who the guest is: host name and name servers, in the kernel and in /etc.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Letters, digits, dots and hyphens: nothing that could say more in /etc/hosts. Pure.
bool identity_is_hostname(const char *name);
// False when something of it could not be written; the log says what.
bool identity_set_hostname(const char *name);
// Addresses, comma separated.
void identity_set_dns(const char *addresses);

// The text of /etc/hosts with one right 127.0.1.1 line, from malloc. Pure.
char *identity_hosts(const char *text, const char *name);
// The text of /etc/resolv.conf, from malloc. Pure.
char *identity_resolv(const char *addresses);
