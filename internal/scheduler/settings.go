package scheduler

import "context"

// Setting gives an account setting that was put; ok is false for the default.
func (s *Scheduler) Setting(name string) (value string, ok bool) { return s.settings.Get(name) }

// PutSetting keeps an account setting.
func (s *Scheduler) PutSetting(ctx context.Context, name, value string) error {
	return s.settings.Put(ctx, name, value)
}

// DropSetting forgets an account setting, so that the default counts.
func (s *Scheduler) DropSetting(ctx context.Context, name string) error {
	_, err := s.settings.Delete(ctx, name)
	return err
}
