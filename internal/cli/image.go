package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/registry"
)

func imageCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "image", Short: "Load, list and remove images that come from elsewhere", Args: noArgs, DisableFlagsInUseLine: true,
		Long: `Load, list and remove the images that the server has from other registries and
from files. Those of its own registry are ECR's: aws ecr describe-images.

The server is found through --data, or else through the environment that
neargate env prints.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	data := app.Default().Data
	cmd.PersistentFlags().StringVar(&data, "data", data, "the server's --data directory")
	server := func(cmd *cobra.Command) (imageServer, error) {
		return findImageServer(cmd.Context(), data, cmd.Flags().Changed("data"))
	}
	cmd.AddCommand(imageLoadCommand(server), imageListCommand(server), imageRemoveCommand(server), imagePruneCommand(server))
	return cmd
}

type findImages func(*cobra.Command) (imageServer, error)

func imageLoadCommand(find findImages) *cobra.Command {
	name := ""
	cmd := &cobra.Command{
		Use: "load FILE", Short: "Load images from a file", DisableFlagsInUseLine: true,
		Long: `Load the images of a file that docker save wrote, or of an OCI image layout in a
tar, both also compressed by gzip; - is the standard input. Task definitions name
them as the file does, or as --name says, and no registry is asked for them.`,
		Example: `  docker save nginx:1.27 | neargate image load -
  neargate image load app.tar --name ghcr.io/me/app:v1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse{hinted{errors.New("name the one file to load"), "run 'neargate image load --help'"}}
			}
			s, err := find(cmd)
			if err != nil {
				return err
			}
			in := io.NopCloser(cmd.InOrStdin())
			if args[0] != "-" {
				if in, err = openArchive(args[0]); err != nil {
					return err
				}
			}
			defer in.Close()
			images, err := s.load(cmd.Context(), in, name)
			if u, ok := errors.AsType[*unnamed](err); ok {
				return hinted{err, u.hint(args[0])}
			}
			if err != nil {
				return err
			}
			for _, img := range images {
				fmt.Fprintf(cmd.OutOrStdout(), "%s@%s\n", strings.Join(img.Names, " "), img.Digest)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", name, "the name of the one image in the file, instead of its own")
	return cmd
}

// openArchive opens a file with images.
func openArchive(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load images: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = hinted{fmt.Errorf("load images: %s is a directory", path), "of an OCI image layout, load it as a tar: tar -C " + path + " -c . | neargate image load -"}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// unnamed means that the image in a file has no name, or only a tag.
type unnamed struct{ message, tag string }

func (u *unnamed) Error() string { return u.message }

// hint is the command that loads the file.
func (u *unnamed) hint(file string) string {
	name := "NAME"
	if u.tag != "" {
		name += ":" + u.tag
	}
	return "neargate image load " + file + " --name " + name
}

func imageListCommand(find findImages) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List the images that come from elsewhere, the last used first", Args: noArgs,
		Long: `List the images that the server has from other registries and from files.

LAST USED is when a task last started from the image. SIZE is what it takes on
disk: what came, compressed, and once a task has started from it also the
unpacked layers. A layer that several images have is counted with each of them,
and is there once.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := find(cmd)
			if err != nil {
				return err
			}
			images, err := s.list(cmd.Context())
			if err != nil {
				return err
			}
			return printImages(cmd.OutOrStdout(), images)
		},
	}
}

func imageRemoveCommand(find findImages) *cobra.Command {
	return &cobra.Command{
		Use: "rm IMAGE…", Short: "Remove images by name or digest", DisableFlagsInUseLine: true,
		Long: `Remove images: by name (an image goes with its last name), or by digest, of which
the beginning is enough. An image that a task runs, or that a service's deployment
names, is refused.`,
		Example: `  neargate image rm nginx:1.27
  neargate image rm 310e07bb5032`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse{hinted{errors.New("name the images to remove"), "neargate image ls lists them"}}
			}
			s, err := find(cmd)
			if err != nil {
				return err
			}
			var errs []error
			for _, image := range args {
				err := s.remove(cmd.Context(), image)
				errs = append(errs, err)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "removed %s\n", image)
				}
			}
			return errors.Join(errs...)
		},
	}
}

func imagePruneCommand(find findImages) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "prune", Short: "Remove the images that are not in use", Args: noArgs,
		Long: `Remove the images from other registries that no task runs and no service's
deployment names; with --all also those loaded from files.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := find(cmd)
			if err != nil {
				return err
			}
			gone, err := s.prune(cmd.Context(), all)
			if err != nil {
				return err
			}
			var bytes int64
			for _, img := range gone {
				bytes += img.Bytes
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed %d images, %s\n", len(gone), size(bytes))
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", all, "also those loaded from files")
	return cmd
}

// shortDigest is how much of a digest is shown.
const shortDigest = 12

func printImages(out io.Writer, images []registry.PulledImage) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tDIGEST\tSIZE\tFROM\tLAST USED\tIN USE")
	for _, img := range images {
		from, names := "registry", img.Names
		if img.Loaded {
			from = "file"
		}
		if img.Architecture != "" {
			from += " (" + string(img.Architecture) + ")"
		}
		if len(names) == 0 {
			names = []string{"-"}
		}
		for _, name := range names {
			digest := strings.TrimPrefix(img.Digest, "sha256:")
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, digest[:min(shortDigest, len(digest))], size(img.Bytes), from,
				lastUsed(img), yesNo(img.InUse != ""))
		}
	}
	return w.Flush()
}

// lastUsed is when a task last started from an image.
func lastUsed(img registry.PulledImage) string {
	if img.UsedAt.Equal(img.PulledAt) {
		return "never"
	}
	return img.UsedAt.Local().Format(time.DateTime)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// size words a number of bytes.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(n)/1e3)
}

// findImageServer finds the server, and logs in to its registry.
func findImageServer(ctx context.Context, data string, named bool) (imageServer, error) {
	a, err := accessOfEnvironment()
	if named || err != nil {
		a, err = readAccess(data)
		a.Endpoint = a.Local
	}
	if err != nil {
		return imageServer{}, err
	}
	login, err := registryLoginAt(ctx, a)
	if err != nil {
		return imageServer{}, err
	}
	client, err := clientTrusting(a.CAFile)
	return imageServer{a.Endpoint, client, login.User, login.Password}, err
}
