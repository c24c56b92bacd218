#!version:1.0.0.1

include:config "001565aabb01.cfg"

overwrite_mode = 0
