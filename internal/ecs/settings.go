package ecs

import "context"

// Setting returns an account setting that was put; ok is false for the default.
func (c *Catalogue) Setting(name string) (value string, ok bool) { return c.settings.Get(name) }

// PutSetting keeps an account setting.
func (c *Catalogue) PutSetting(ctx context.Context, name, value string) error {
	return c.settings.Put(ctx, name, value)
}

// DropSetting forgets an account setting, so that the default counts.
func (c *Catalogue) DropSetting(ctx context.Context, name string) error {
	_, err := c.settings.Delete(ctx, name)
	return err
}
