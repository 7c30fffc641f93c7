// Only headers: see include/CLinux.h.
#include "CLinux.h"
