"""Run the command line as `python -m killreport`."""

from killreport.cli.main import main

if __name__ == "__main__":
    main()
