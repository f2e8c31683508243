/*
 * The tables of this folder, as the text that their files hold, within the program.
 */
#ifndef ASTRAY_GEO_TABLES_H
#define ASTRAY_GEO_TABLES_H

extern const char geo_tables_anycast[];
extern const char geo_tables_places[];
extern const char geo_tables_rules[];

#endif
