// The start of a session.
#pragma once

#include <stdbool.h>

#include "session.h"

// Answers HELLO: ends the old session, opens the new one. False when the frame is malformed.
bool hello(struct session *session, const struct frame *frame);
