#include "CHotPath.h"
