// The service's way from fork to execve.
#pragma once

#include "fields.h"

void service_child(struct fields request);
