#include "geo_tables.h"

#define TABLE(name, file)                                                   \
	__asm__(".pushsection .rodata\n"                                    \
		".global geo_tables_" name "\n"                             \
		"geo_tables_" name ": .incbin \"" GEO_FILES "/" file "\"\n" \
		".byte 0\n"                                                 \
		".popsection\n")

TABLE("anycast", "anycast.txt");
TABLE("places", "router_places.txt");
TABLE("rules", "router_rules.txt");
