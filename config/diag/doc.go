// Package diag collects what is wrong with a configuration, with codes and
// places, and shows it: as text with the line itself, or as JSON. It knows
// nothing of the language, and never shows a sensitive value.
package diag
