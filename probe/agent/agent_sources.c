#include "agent_sources.h"

#include "check_source.h"
#include "flow_source.h"
#include "names_source.h"
#include "trace_source.h"

const struct source_kind *const agent_sources[] = {
	&flow_source,
	&trace_source,
	&check_source,
	&names_source,
	NULL,
};
