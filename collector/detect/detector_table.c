#include "detector.h"

#include "detect_detour.h"
#include "detect_failures.h"
#include "detect_latency.h"
#include "detect_name_server.h"
#include "detect_traffic.h"

const struct detector *const detector_table[] = {
	&detect_name_server,
	&detect_detour,
	&detect_failures,
	&detect_latency,
	&detect_traffic,
	NULL,
};
