#include "detector.h"

#include "detect_detour.h"
#include "detect_name_server.h"

const struct detector *const detector_table[] = {
	&detect_name_server,
	&detect_detour,
	NULL,
};
