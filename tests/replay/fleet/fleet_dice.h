/*
 * Chance without a state: every draw is a hash of (seed, what, who, when), so that one
 * thing more or less in the world changes no other draw, and any moment can be made again
 * by itself.
 */
#ifndef FLEET_DICE_H
#define FLEET_DICE_H

#include <stdbool.h>
#include <stdint.h>

/* What is drawn for. A new row goes to the end: the order is part of every seed's world.
 */
enum fleet_dice {
	DICE_SERVICE,
	DICE_ROUTER,
	DICE_ROUTER_PLACE,
	DICE_TRANSIT,
	DICE_EDGE_FLAP,
	DICE_GEO_RELEASE,
	DICE_HOP,
	DICE_FLOW,
	DICE_RTT,
	DICE_REQUESTS,
	DICE_LEVEL,
	DICE_BURST,
	DICE_SURGE,
	DICE_DEPLOY,
	DICE_RESPONSE,
	DICE_FAILURE,
	DICE_HOLIDAY,
	DICE_CLOSURE,
	DICE_LEAVE,
	DICE_LID,
	DICE_HOME,
	DICE_TRAVEL,
	DICE_WIFI,
	DICE_SKEW,
	DICE_LOSS,
	DICE_DELAY,
	DICE_DOUBLE,
	DICE_RESTART,
	DICE_ISOLATION,
	DICE_ARRIVAL,
	DICE_RENEWAL,
	DICE_SERVFAIL,
	DICE_ANSWER,
	DICE_MAINTENANCE,
	DICE_MOVE,
	DICE_TROUBLE,
	DICE_LIAR,
	DICE_BLACKOUT,
	DICE_DEAD_GATEWAY,
	DICE_CLOCK_CHANGE,
	DICE_HALF_DAY,
	DICE_LOAD_TEST,
	DICE_PROVIDER_SWAP,
	DICE_RENAMING,
	DICE_RECOUNT,
	DICE_RETIREMENT,
	DICE_DARK_WEEKENDS,
};

uint64_t fleet_dice_hash(
	uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when);
double fleet_dice_uniform(
	uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when); /* [0, 1) */
double fleet_dice_normal(
	uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when);
int64_t fleet_dice_poisson(
	double mean, uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when);
bool fleet_dice_happens(
	double share, uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when);

#endif
