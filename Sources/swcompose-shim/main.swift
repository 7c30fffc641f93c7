import CLinux
puts("shim")
