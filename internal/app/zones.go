package app

import _ "time/tzdata" // schedules name time zones, and a bare machine has no database of them
