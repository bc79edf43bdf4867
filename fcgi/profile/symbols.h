/* Names of functions by address, of everything that is mapped into this
 * process: static functions too, positions independent or not. */
#ifndef MG_SYMBOLS_H
#define MG_SYMBOLS_H

#include "base.h"

/* Loads the tables at first use and again when libraries have come or gone
 * since; returns how many functions are known. Then, until symbols_unlock,
 * symbols_find may be called; other threads wait. */
size_t symbols_lock(void);
void symbols_unlock(void);

/* The function that contains the address; NULL when none is known. */
const char *symbols_find(uint64_t address);

/* The name of the file that the address is mapped from, without its folder;
 * NULL when there is none. */
const char *symbols_file(uint64_t address);

#endif
