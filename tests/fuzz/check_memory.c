/* The file in which a check remembers its look: JSON that somebody else may have written. What is believed
 * must be written as it was read. */

#include "check/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct memory m, again;

	if (memory_read((const char *)data, size, arena, &m)) {
		AUTO_BUF text = { 0 };
		AUTO_BUF text_again = { 0 };

		if (m.n_owners > MEMORY_MAX_OWNERS || m.n_ports > MEMORY_MAX_PORTS)
			abort();
		memory_write(&text, &m);
		if (!memory_read(text.at, text.n, arena, &again))
			abort();
		memory_write(&text_again, &again);
		if (strcmp(buf_text(&text), buf_text(&text_again)) != 0)
			abort();
	}
	arena_free(arena);
	return 0;
}
