package watch

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// commit is a name that git gives to a commit, in SHA-1 or SHA-256.
var commit = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// revision names what a tree is of. A link that leads to a directory with the
// name of a commit, as git-sync makes them, is exact; HEAD of the repository
// around the tree knows nothing of edits that are not committed; the name of the
// directory to which the watched link leads is what there is without git.
func revision(dir, real string) string {
	given := strings.Split(filepath.ToSlash(dir), "/")
	parts := strings.Split(filepath.ToSlash(real), "/")
	for _, p := range slices.Backward(parts) {
		if name := strings.TrimPrefix(p, "rev-"); commit.MatchString(name) && !slices.Contains(given, p) {
			return name
		}
	}
	if head := headOf(real); head != "" {
		return head
	}
	for _, link := range []string{dir, filepath.Join(dir, swapped)} {
		if to, err := os.Readlink(link); err == nil {
			return strings.TrimLeft(filepath.Base(to), ".")
		}
	}
	return ""
}

// headOf is the commit of the work tree in which a directory lies; "" where
// there is none, or where it is kept in a way that is not known here.
func headOf(dir string) string {
	for {
		if git := gitDirectory(dir); git != "" {
			return head(git)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// gitDirectory is where the repository of a work tree is: .git, or what a file
// .git names (gitrepository-layout(5)).
func gitDirectory(dir string) string {
	at := filepath.Join(dir, ".git")
	switch st, err := os.Stat(at); {
	case err != nil:
		return ""
	case st.IsDir():
		return at
	}
	to, ok := strings.CutPrefix(firstLine(at), "gitdir: ")
	switch {
	case !ok:
		return ""
	case filepath.IsAbs(to):
		return to
	}
	return filepath.Join(dir, to)
}

// head follows HEAD to a commit.
func head(git string) string {
	common := git
	if to := firstLine(filepath.Join(git, "commondir")); filepath.IsAbs(to) {
		common = to
	} else if to != "" {
		common = filepath.Join(git, to)
	}
	name := firstLine(filepath.Join(git, "HEAD"))
	ref, symbolic := strings.CutPrefix(name, "ref: ")
	if symbolic && filepath.IsLocal(ref) {
		if name = firstLine(filepath.Join(common, ref)); name == "" {
			name = packed(filepath.Join(common, "packed-refs"), ref)
		}
	}
	if !commit.MatchString(name) {
		return ""
	}
	return name
}

// packed looks a reference up among those that git has put into one file.
func packed(file, ref string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, found := strings.CutSuffix(lines.Text(), " "+ref); found {
			return name
		}
	}
	return ""
}

// firstLine of a small file; "" where there is none.
func firstLine(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimRight(line, "\r ")
}
