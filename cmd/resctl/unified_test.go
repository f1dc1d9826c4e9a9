package main

import "testing"

func TestUnified(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"two hunks": {"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "A\nb\nc\nd\ne\nf\ng\nh\ni\nJ\n",
			"@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n@@ -7,4 +7,4 @@\n g\n h\n i\n-j\n+J\n"},
		"one hunk":       {"a\nb\nc\nd\n", "A\nb\nc\nD\n", "@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n-d\n+D\n"},
		"a line more":    {"a\nb\n", "a\nx\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
		"a line less":    {"a\nx\nb\n", "a\nb\n", "@@ -1,3 +1,2 @@\n a\n-x\n b\n"},
		"no end of line": {"a", "A", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+A\n\\ No newline at end of file\n"},
		"from nothing":   {"", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
	} {
		if got := unified("f", c.before, c.after); got != "--- f\n+++ f\n"+c.want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}
