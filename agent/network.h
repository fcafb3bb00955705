// The guest's network, set without waiting for anybody: there is no DHCP.
#pragma once

// Loopback, then address, MTU and routes of eth0 as the command line says.
void network_up(const char *cmdline);
