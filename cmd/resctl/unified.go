package main

import (
	"fmt"
	"strings"
)

// unified is the difference of two texts as patch reads it. Formatting moves no
// line, so lines are compared one by one; if their number does differ, all
// between the first and the last difference counts as changed.
func unified(name, before, after string) string {
	a, b := textLines(before), textLines(after)
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	if len(a) != len(b) {
		from := 0
		for from < len(a) && from < len(b) && a[from] == b[from] {
			from++
		}
		end := 0
		for end < len(a)-from && end < len(b)-from && a[len(a)-1-end] == b[len(b)-1-end] {
			end++
		}
		hunk(&out, a, b, from, len(a)-end, len(b)-end)
		return out.String()
	}
	const context = 3
	for i := 0; i < len(a); i++ {
		if a[i] == b[i] {
			continue
		}
		last := i
		for j := i; j < len(a) && j <= last+2*context; j++ {
			if a[j] != b[j] {
				last = j
			}
		}
		hunk(&out, a, b, i, last+1, last+1)
		i = last
	}
	return out.String()
}

// textLines are lines with their ends.
func textLines(s string) []string {
	lines := strings.SplitAfter(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// hunk writes a[from:toA] as b[from:toB], with three lines before and after.
func hunk(w *strings.Builder, a, b []string, from, toA, toB int) {
	lead := min(from, 3)
	tail := min(len(a)-toA, 3)
	fmt.Fprintf(w, "@@ -%s +%s @@\n", lineSpan(from-lead, toA+tail), lineSpan(from-lead, toB+tail))
	put := func(mark, line string) {
		w.WriteString(mark + line)
		if !strings.HasSuffix(line, "\n") {
			w.WriteString("\n\\ No newline at end of file\n")
		}
	}
	for _, l := range a[from-lead : from] {
		put(" ", l)
	}
	if toA-from != toB-from {
		for _, l := range a[from:toA] {
			put("-", l)
		}
		for _, l := range b[from:toB] {
			put("+", l)
		}
	} else {
		pairs(put, a[from:toA], b[from:toB])
	}
	for _, l := range a[toA : toA+tail] {
		put(" ", l)
	}
}

// pairs writes lines that stand side by side: runs of changes, what was first.
func pairs(put func(mark, line string), a, b []string) {
	for i := 0; i < len(a); {
		if a[i] == b[i] {
			put(" ", a[i])
			i++
			continue
		}
		end := i
		for end < len(a) && a[end] != b[end] {
			end++
		}
		for _, l := range a[i:end] {
			put("-", l)
		}
		for _, l := range b[i:end] {
			put("+", l)
		}
		i = end
	}
}

// lineSpan is a range of lines as a hunk's heading has it.
func lineSpan(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}
