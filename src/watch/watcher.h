#pragma once

/* Pictures of one look after the other, with a short memory of those before: rates since the last
 * one, and growth over half a minute.
 *
 *	watcher_new(); for each look: watcher_begin(), watcher_conn() …, watcher_end(&frame); watcher_free()
 *
 * Pure: opens no file, asks no clock, prints nothing. */

#include "model/conn.h"
#include "model/frame.h"

struct watcher;

struct watcher *watcher_new(void);
void watcher_free(struct watcher *w);

void watcher_begin(struct watcher *w, const struct look *look);
/* Of a teardown state, joined. */
void watcher_conn(struct watcher *w, const struct conn *c);
/* Owners with most CLOSE-WAITs first. */
void watcher_end(struct watcher *w, const struct findings *findings, struct frame *ret);
