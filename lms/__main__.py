"""`python -m lms` is `lms`."""

from lms.app import main

if __name__ == "__main__":
    main()
