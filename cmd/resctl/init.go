package main

import (
	_ "embed" // the starter
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
)

// What init writes; nothing changes them.
var (
	//go:embed starter/main.hcl
	starterConfiguration string
	//go:embed starter/gitignore
	starterIgnore string
)

func (c *cli) initCommand() *cobra.Command {
	var starter bool
	cmd := &cobra.Command{
		Use: "init", Short: "Writes a small configuration to start from", Args: noMore,
		Long: "Writes a small configuration to start from, main.hcl, and a .gitignore that keeps\n" +
			"state and secrets out of git. Where a configuration is, there is nothing to do:\n" +
			"nothing has to be prepared or downloaded, and the first apply makes the state.",
		RunE: func(*cobra.Command, []string) error {
			c.view = c.newView(false)
			return c.initialize(starter)
		},
	}
	cmd.Flags().BoolVar(&starter, "starter", false, "write it without a terminal as well")
	return cmd
}

func (c *cli) initialize(starter bool) error {
	dir := c.directory()
	there, err := config.Files(dir)
	switch {
	case err != nil:
		return unwritable(dir, err)
	case len(there) > 0:
		c.view.About("Nothing to do: " + harmless(filepath.Join(dir, there[0])) + " is a configuration. resctl plan shows what it would change.")
		return nil
	case !starter && !isTerminal(c.stdin):
		return problemf(codeUsage, "Nobody has asked for a configuration", "%s has none. Write a *.hcl file, or pass --starter for one to start from.", dir)
	}
	main := filepath.Join(dir, "main.hcl")
	if err := writeNew(main, starterConfiguration); err != nil {
		return unwritable(main, err)
	}
	c.view.About("Wrote " + harmless(main) + ": one station and one reservation.")
	return c.ignore(filepath.Join(dir, ".gitignore"))
}

// ignore writes a .gitignore. One that is there stays as it is, and is told
// what it lacks.
func (c *cli) ignore(path string) error {
	err := writeNew(path, starterIgnore)
	switch {
	case err == nil:
		c.view.About("Wrote " + harmless(path) + ": state and secrets stay out of git.")
	case errors.Is(err, fs.ErrExist):
		b, err := os.ReadFile(path)
		if err != nil {
			return unwritable(path, err)
		}
		if lacks := lacking(string(b)); len(lacks) > 0 {
			c.view.About("Kept " + harmless(path) + ". It should name these as well, which are state and secrets: " + strings.Join(lacks, " "))
		}
	default:
		return unwritable(path, err)
	}
	line := "resctl plan"
	if c.chdir != "" {
		line += " -C " + shellWord(c.chdir)
	}
	c.view.About("\nNext: " + line)
	return nil
}

// lacking are the lines of the starter that a .gitignore does not have.
func lacking(text string) (lines []string) {
	have := map[string]bool{}
	for _, l := range strings.Split(text, "\n") {
		have[strings.TrimSpace(l)] = true
	}
	for _, l := range strings.Split(strings.TrimSpace(starterIgnore), "\n") {
		if !have[l] && !strings.HasPrefix(l, "#") {
			lines = append(lines, l)
		}
	}
	return lines
}

// writeNew writes a file that must not be there.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // it holds no secret
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func unwritable(path string, err error) error {
	return problemf(codeOutput, "The file cannot be written", "%s: %s.", path, reasonOf(err, path))
}
