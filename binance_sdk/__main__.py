"""``python -m binance_sdk`` is the console command ``binance-sdk``."""

from binance_sdk.cli import main

if __name__ == "__main__":
    main()
